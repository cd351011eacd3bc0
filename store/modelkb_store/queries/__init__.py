"""The query language: choosing experiments by what is recorded of them."""
