"""What the control API's calls do, behind their guard."""
