-- The DynamoDB table Orders in Athena, with the columns of export 01704196800000-757dc4d1.
-- After a column was added, drop the table and create it again. The data is not changed.
-- Partitions are projected from the dates since 2024-01-01. To read an earlier date, change the
-- start of projection.dt.range.
-- NOW is in UTC. The dates are in Asia/Tokyo and can be one day later.
-- All columns are strings, because the CSV reader of Athena does not support decimals, or null in numeric columns.
-- It has other limits that Parquet does not have: it reads null and the empty string both as the empty string, ends a
-- row at a line break in a text, and drops the escape character from texts. The escape character can't be the quote; it
-- is set to U+0001, which is rare in texts, instead of the default backslash. This query converts the values:
-- SELECT
--   "id",
--   CAST(NULLIF("active", '') AS boolean) AS "active",
--   from_base64(NULLIF("data", '')) AS "data",
--   CAST(NULLIF("day", '') AS date) AS "day",
--   "lines",
--   CAST(NULLIF("price", '') AS decimal(38, 2)) AS "price",
--   CAST(NULLIF("quantity", '') AS bigint) AS "quantity",
--   "was_new",
--   "dt"
-- FROM "orders_csv";
CREATE EXTERNAL TABLE `orders_csv` (
  `id` string,
  `active` string,
  `data` string,
  `day` string,
  `lines` string,
  `price` string,
  `quantity` string,
  `was_new` string
)
PARTITIONED BY (`dt` string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '"', 'escapeChar' = '\u0001')
STORED AS TEXTFILE
LOCATION 's3://lake/shop/orders/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2024-01-01,NOW+1DAYS',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://lake/shop/orders/${dt}/',
  'skip.header.line.count' = '1'
);
