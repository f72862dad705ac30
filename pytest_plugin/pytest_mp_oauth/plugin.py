"""The fixtures, as pytest loads them; imports only pytest at the top."""
