-- The DynamoDB table Orders in Athena, with the columns of export 01704196800000-757dc4d1.
-- When a column is added, drop the table and make it again: the data stays.
-- Partitions follow from the dates, from 2024-01-01 on: an earlier date that is back-filled is
-- not seen before projection.dt.range begins with it.
-- parquet.compression is for what Athena writes; it finds out how to read these files by itself.
CREATE EXTERNAL TABLE `lake`.`orders` (
  `id` string,
  `active` boolean,
  `data` binary,
  `day` date,
  `lines` string,
  `price` decimal(38, 2),
  `quantity` bigint,
  `was_new` string
)
PARTITIONED BY (`dt` string)
STORED AS PARQUET
LOCATION 's3://lake/shop/orders/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2024-01-01,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://lake/shop/orders/dt=${dt}/'
);
