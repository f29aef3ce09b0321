-- All days of Orders for Spark SQL, with the columns of export 01704196800000-757dc4d1.
-- Create these statements again after a column was added.

CREATE OR REPLACE TEMPORARY VIEW `orders_text` (
  `id` STRING,
  `active` BOOLEAN,
  `data` STRING,
  `day` STRING,
  `lines` STRING,
  `price` DECIMAL(38, 2),
  `quantity` BIGINT,
  `was_new` STRING,
  `dt` DATE
) USING csv OPTIONS (
  path 'out/dt=*/*/*.csv',
  basePath 'out',
  header 'true',
  multiLine 'true',
  lineSep '\n',
  escape '"',
  charToEscapeQuoteEscaping '\uD800',
  nullValue '\uD800',
  mode 'PERMISSIVE'
);

CREATE OR REPLACE TEMPORARY VIEW `orders` AS SELECT
  `id`,
  `active`,
  unbase64(`data`) AS `data`,
  CAST(`day` AS DATE) AS `day`,
  `lines`,
  `price`,
  `quantity`,
  `was_new`,
  `dt`
FROM `orders_text`;
