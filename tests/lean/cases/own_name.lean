import Lean
open Lean Meta
#eval show MetaM Unit from do IO.println s!"{(← getEnv).mainModule}"
