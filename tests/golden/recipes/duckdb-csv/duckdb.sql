-- All days of Orders for DuckDB, with the columns of export 01704196800000-757dc4d1.
-- Create this query again after a column was added.
SELECT * REPLACE (from_base64("data") AS "data")
FROM read_csv(
    'out/dt=*/*/*.csv',
    auto_detect = false,
    header = true,
    delim = ',',
    quote = '"',
    escape = '"',
    new_line = '\n',
    nullstr = '',
    allow_quoted_nulls = false,
    max_line_size = 57573376,
    columns = {
        'id': 'VARCHAR',
        'active': 'BOOLEAN',
        'data': 'VARCHAR',
        'day': 'DATE',
        'lines': 'VARCHAR',
        'price': 'DECIMAL(38, 2)',
        'quantity': 'BIGINT',
        'was_new': 'VARCHAR'
    },
    null_padding = true,
    parallel = false,
    hive_partitioning = true,
    hive_types = {'dt': DATE}
);
