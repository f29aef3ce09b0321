-- All days of Orders for DuckDB, with the columns of export 01704196800000-757dc4d1.
SELECT *
FROM read_parquet(
    'out/dt=*/*/*.parquet',
    union_by_name = true,
    hive_partitioning = true,
    hive_types = {'dt': DATE}
);
