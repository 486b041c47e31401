-- no newline at the end
theorem t : True := trivial