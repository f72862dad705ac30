"""HTTP: the only place that knows field names, status codes and pages."""
