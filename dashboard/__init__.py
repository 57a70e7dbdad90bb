"""The pages: Streamlit over `mart`, and nothing else."""
