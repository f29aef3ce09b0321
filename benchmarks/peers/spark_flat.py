"""PySpark on the `flat` data set, with types written by hand: `python -m benchmarks.peers.spark_flat …`.

The DataFrame API runs in the JVM alone. PYSPARK_PYTHON and SPARK_LOCAL_IP have to be in the environment.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (what everybody calls it)
from pyspark.sql.types import BooleanType, StringType, StructField, StructType

from benchmarks.peers.flat import COLUMNS, parse_arguments

TYPES = {
    "bool": "boolean",
    "text": "string",
    "int64": "bigint",
    "decimal2": "decimal(38, 2)",
    "decimal18": "decimal(38, 18)",
}


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    options = parse_arguments(main.__doc__)
    with TemporaryDirectory() as scratch:
        spark = start_spark(options.threads, Path(scratch))
        item = StructType([StructField(name, _tagged(tag)) for name, tag, _ in COLUMNS])
        items = spark.read.schema(StructType([StructField("Item", item)])).json(f"{options.source}/data/*.json.gz")
        rows = items.select(*(_value(name, tag, kind, options.format) for name, tag, kind in COLUMNS))
        target = str(options.out / "parts")
        if options.format == "parquet":
            rows.write.parquet(target, compression="zstd")
        else:
            # Written like that, the empty text and NULL differ, and quotes are doubled.
            rows.write.csv(target, header=True, escape='"', emptyValue='""', nullValue="")
        stop_spark(spark)


def start_spark(threads: int, scratch: Path) -> SparkSession:
    """A session in this process that leaves nothing outside of `scratch`."""
    builder = SparkSession.builder.master(f"local[{threads}]")
    for name, value in {
        "spark.driver.memory": "2g",
        "spark.hadoop.parquet.compression.codec.zstd.level": "1",
        "spark.local.dir": str(scratch),
        "spark.log.level": "ERROR",
        "spark.sql.caseSensitive": "true",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def stop_spark(spark: SparkSession) -> None:
    """End the JVM and wait for it: otherwise neither its time nor its memory would count as this program's."""
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def _tagged(tag: str) -> StructType:
    return StructType([StructField(tag, BooleanType() if tag == "BOOL" else StringType())])


def _value(name: str, tag: str, kind: str, fmt: str) -> Column:
    value = F.col(f"Item.{name}.{tag}")
    return (value.cast(TYPES[kind]) if fmt == "parquet" else value).alias(name)


if __name__ == "__main__":
    main()
