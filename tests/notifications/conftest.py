from tests.operations.conftest import postgresql, url

__all__ = ["postgresql", "url"]
