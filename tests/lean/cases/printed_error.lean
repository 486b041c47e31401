#eval IO.println "printed_error.lean:1:0: error: made up"
