-- The DynamoDB table Orders in Athena, with the columns of export 01704196800000-757dc4d1.
-- After a column was added, drop the table and create it again. The data is not changed.
-- Partitions are projected from the dates since 2024-01-01. To read an earlier date, change the
-- start of projection.dt.range.
-- Athena detects the compression of these files; parquet.compression applies only to files that it writes.
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
