/-
What is in a Lean module? A capability of one command and one stream. Requests and answers are JSON.
-/
import Lean
import LWBuild

open Lean

namespace Survey

/-- Lists of imports became arrays in 2023. -/
instance : Coe (List Import) (Array Import) := ⟨List.toArray⟩

def kind : ConstantInfo → String
  | ConstantInfo.axiomInfo _ => "axiom"
  | ConstantInfo.defnInfo _ => "definition"
  | ConstantInfo.thmInfo _ => "theorem"
  | ConstantInfo.opaqueInfo _ => "opaque"
  | ConstantInfo.quotInfo _ => "quotient"
  | ConstantInfo.inductInfo _ => "inductive"
  | ConstantInfo.ctorInfo _ => "constructor"
  | ConstantInfo.recInfo _ => "recursor"

def parse (request : String) : IO Json :=
  match Json.parse request with
  | Except.ok json => pure json
  | Except.error text => throw <| IO.userError s!"the request is no JSON: {text}"

def text (json : Json) (key : String) : IO String :=
  match json.getObjVal? key >>= Json.getStr? with
  | Except.ok value => pure value
  | Except.error _ => throw <| IO.userError s!"the request has no text \"{key}\""

def moduleName (name : String) : Name :=
  (name.splitOn ".").foldl (fun parent part => Name.mkStr parent part) Name.anonymous

/-- A module as Lean sees it, from the folders of `LEAN_PATH` and of the toolchain. -/
def load (name : Name) : IO Environment := do
  initSearchPath (← findSysroot?)
  importModules [{ module := name }] {}

/-- What the module itself declares, in no particular order. -/
def declared (env : Environment) (module : Name) : Array (Name × ConstantInfo) :=
  let index : Option Nat := env.getModuleIdx? module
  env.constants.fold (init := #[]) fun found name info =>
    let home : Option Nat := env.getModuleIdxFor? name
    if home.isSome && home == index then found.push (name, info) else found

/-- `{"module": "Init.Prelude"}`: a row `{"name":..,"kind":..,"universes":n}` per declaration. -/
@[export survey_declarations]
def declarations (request : String) (callback context : USize) : IO UInt8 :=
  LWBuild.stream callback context fun out => do
    let name := moduleName (← text (← parse request) "module")
    out.progress "import" 0
    let env ← load name
    let found := declared env name
    if found.isEmpty then
      out.diagnostic LWBuild.Severity.warning "survey.empty" s!"{name} declares nothing"
    let mut done := 0
    for (declaration, info) in found do
      out.row "declarations" ("{\"name\":" ++ LWBuild.jsonText (toString declaration) ++ ",\"kind\":\"" ++ kind info ++
        "\",\"universes\":" ++ LWBuild.decimal info.levelParams.length ++ "}")
      done := done + 1
      if done % 1000 == 0 then
        out.progress "declarations" done (some found.size)

/-- How many of the names in `{"declarations": [..]}` there are, how many are distinct, and how deep the deepest is. -/
@[export survey_statistics]
def statistics (request : String) : IO String := do
  let json ← parse request
  let names ← match json.getObjVal? "declarations" >>= fromJson? (α := Array String) with
    | Except.ok names => pure names
    | Except.error _ => throw <| IO.userError "the request has no list of texts \"declarations\""
  let depth := names.foldl (fun most name => max most (name.splitOn ".").length) 0
  let distinct := names.foldl (fun (set : NameSet) name => set.insert (moduleName name)) {}
  return (Json.mkObj [("count", toJson names.size), ("distinct", toJson (distinct.fold (fun n _ => n + 1) 0)),
    ("deepest", toJson depth)]).compress

@[export survey_metadata]
def metadata (_ : String) : IO String :=
  return (Json.mkObj [("name", "survey"), ("version", "1"), ("commands", Json.arr #[Json.mkObj [("name", "statistics"), ("version", "1")],
      Json.mkObj [("name", "declarations"), ("version", "1")]])]).compress

/-- Whether modules can be found: without the toolchain's own there is nothing to survey. -/
@[export survey_doctor]
def doctor (_ : String) : IO String := do
  initSearchPath (← findSysroot?)
  let found ← try (findOLean `Init) *> pure true catch _ => pure false
  let (severity, message) := if found then ("pass", "the toolchain's modules can be found")
    else ("error", "there is no module Init; set LEAN_SYSROOT to the toolchain's folder")
  return (Json.mkObj [("diagnostics", Json.arr #[Json.mkObj [("severity", severity), ("code", "survey.modules"),
    ("message", message)]])]).compress

end Survey
