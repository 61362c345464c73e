"""What is checked besides the code's own rules: secrets, licences, advisories, and the bills of materials."""
