"""Where the bytes of a store lie: on a file system or in a bucket, reached the same way."""
