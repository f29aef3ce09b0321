-- All days of Orders for Spark SQL, with the columns of export 01704196800000-757dc4d1.
-- Create these statements again after a column was added.

CREATE OR REPLACE TEMPORARY VIEW `orders` (
  `id` STRING,
  `active` BOOLEAN,
  `data` BINARY,
  `day` DATE,
  `lines` STRING,
  `price` DECIMAL(38, 2),
  `quantity` BIGINT,
  `was_new` STRING,
  `dt` DATE
) USING parquet OPTIONS (
  path 'out/dt=*/*/*.parquet',
  basePath 'out',
  datetimeRebaseMode 'CORRECTED'
);
