"""Commands that ask and change a running sandbox, one file for each group of them."""
