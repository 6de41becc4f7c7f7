"""The pages: shape in, service, shape out. Teachers' pages and the student's form."""
