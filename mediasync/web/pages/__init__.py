"""The pages, one module each: what a page shows is asked here, how it looks is in its template."""
