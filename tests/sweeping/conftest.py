from tests.operations.conftest import postgresql, sqlite_url, url

__all__ = ["postgresql", "sqlite_url", "url"]
