"""What browsers see: the seller's pages and the sandbox's own."""
