"""Changes to rows that are in Parquet files: many files become few, rows change or go."""
