-- The DynamoDB table Orders in Athena, with the columns of export 01704196800000-757dc4d1.
-- When a column is added, drop the table and make it again: the data stays.
-- Partitions follow from the dates, from 2024-01-01 on: an earlier date that is back-filled is
-- not seen before projection.dt.range begins with it.
-- NOW is UTC, and the dates are of Asia/Tokyo, which may be a day ahead.
-- All columns are strings: Athena's CSV reader knows no decimals, and takes no null in a column of numbers.
-- What it can't do, and Parquet can: it makes null and the empty string both the empty string, breaks a row at a line
-- break in a text, and drops the escape character from texts. That is a backslash by default and can't be the quote, so
-- it is U+0001, which texts hardly have. This query gives the values their types:
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
