"""HTTP: what is answered to integrations (api), to browsers (pages) and to tests (control)."""
