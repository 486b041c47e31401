# lean_capability_fail(<code> <hint> <text>...): ends the script. Programs that run it, such as lwbuild,
# find code, text and hint in failure.json beside the settings. Codes:
#
#   project-missing    there is no such project, or no such module in it
#   tool-missing       a program that is needed is not there
#   lake-failed        lake build ended with an error
#   lean-failed        Lean has refused a module
#   compile-failed     leanc, the C compiler or ar has failed
#   module-missing     Lake has not built what the library imports
#   export-missing     no module exports a function of that name
#   export-type        it is there, and of another type
#   lean-unknown       what this Lean writes is not understood
include_guard(GLOBAL)

function(lean_capability_json_text out text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n" text "${text}")
  string(REPLACE "\t" "\\t" text "${text}")
  set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

function(lean_capability_fail code hint)
  set(text "")
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE 2 ${last}) # one by one, since they may hold semicolons
    string(APPEND text "${ARGV${i}}")
  endforeach()
  lean_capability_json_text(text_json "${text}")
  lean_capability_json_text(hint_json "${hint}")
  file(WRITE "${FOLDER}/failure.json"
      "{ \"code\": \"${code}\", \"message\": ${text_json}, \"hint\": ${hint_json} }\n")
  message(FATAL_ERROR "${NAME}: ${text}; ${hint}")
endfunction()
