"""What pages show, as data frames and plain values, made without Streamlit."""
