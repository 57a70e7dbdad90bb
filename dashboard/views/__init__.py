"""One module a page. The folder is not named `pages`, because Streamlit would serve each file of it by itself."""
