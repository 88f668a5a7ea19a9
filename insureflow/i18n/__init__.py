"""The words of the product: Babel without a request."""
