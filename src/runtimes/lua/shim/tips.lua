-- What to do about the usual mistakes, found by the interpreter's message.

local find, gsub = string.find, string.gsub

-- Each: a pattern, and the tip; `%1` and `%2` are what the pattern captured. The first that fits counts.
local TIPS = {
  {
    "^no handler",
    "define `function handler(ctx, event) … end` at the top level, without `local` and under this name; or `return` a value",
  },
  {
    "handler must return a table",
    "end the handler with `return { statusCode = 200, headers = { … }, body = … }`, on every way through it",
  },
  { "statusCode must be", "write `statusCode = 200`, or leave it out: 200 is what it is then" },
  { "body must be", "a body is a text or a number, or a table, which becomes JSON: tostring(value) makes a text of the rest" },
  { "the header .* holds a line break", "take line breaks out first: `value:gsub(\"[\\r\\n]\", \" \")`" },
  {
    "attempt to index global 'io'",
    "a function has no files: `io` is not there; use `event` for input and `return` for output",
  },
  { "attempt to index global 'debug'", "`debug` is not there: it would lead out of the sandbox" },
  { "attempt to index global 'package'", "`package` is not there: all modules are globals already" },
  {
    "attempt to index (%a+ '[^']+') %(a nil value%)",
    "%1 is nil: is the name spelled right, and is it set on every way to this line? `x and x.field` asks first",
  },
  { "attempt to index a nil value", "the value before the `.` or `[` is nil: `x and x.field` asks first" },
  { "attempt to index", "only tables have fields: print(type(value)) tells what it is" },
  {
    "attempt to call method '([^']+)'",
    "the object has no method %1; a function that is a field is called with `.` instead of `:`",
  },
  {
    "attempt to call (%a+ '[^']+') %(a nil value%)",
    "there is no function %1: is its name spelled right, and is it defined above this line?",
  },
  { "attempt to call", "what stands before the `(` is no function: print(type(value)) tells what it is" },
  {
    "attempt to perform arithmetic on (%a+ '[^']+') %(a nil value%)",
    "%1 is nil: give it a number first, or use `(value or 0)`",
  },
  { "attempt to perform arithmetic", "only numbers can be calculated with: tonumber(text) makes one of a text" },
  {
    "attempt to concatenate .*%(a nil value%)",
    "`..` joins texts and numbers, and this value is nil: `(value or \"\")` or tostring(value) helps",
  },
  {
    "attempt to concatenate a nil value",
    "`..` joins texts and numbers, and one of the values is nil: tostring(value) helps",
  },
  {
    "attempt to concatenate",
    "`..` joins texts and numbers: json.encode(value) makes a text of a table, tostring(value) of anything else",
  },
  { "attempt to compare", "only two numbers or two texts can be compared: tonumber(text) makes a number of a text" },
  { "attempt to get length of", "`#` works on texts and tables; this value is something else" },
  { "table index is nil", "the key between `[` and `]` is nil" },
  { "'then' expected near '='", "`=` assigns; a condition compares with `==`" },
  { "near '!'", "not equal is written `~=`, and not is written `not`" },
  { "near '&'", "and is written `and`" },
  { "near '|'", "or is written `or`" },
  { "near '%?'", "there is no `a ? b : c`; write `a and b or c`" },
  { "'=' expected near '[-+*/]'", "there is no `+=` or `++`; write `x = x + 1`" },
  { "unexpected symbol near '/'", "a comment begins with `--`" },
  { "unexpected symbol near '%['", "a list is written with braces: {1, 2, 3}" },
  {
    "<name>' expected near 'repeat'",
    "`repeat` is a word of the language: write strings.rep(s, n) or strings[\"repeat\"](s, n)",
  },
  { "'end' expected", "each `function`, `if`, `for`, `while` and `do` needs its own `end`" },
  { "'<eof>' expected near 'end'", "there is one `end` too many, or what it should close is missing" },
  { "'<eof>' expected", "after `return` nothing may follow in its block" },
  { "'then' expected", "`if condition then … end`: the `then` is missing" },
  { "'do' expected", "`for` and `while` need a `do` before their block" },
  { "'=' expected", "a line must be a call or an assignment; a new variable is written `local name = value`" },
  { "[%)}%]]' expected", "a bracket is not closed" },
  { "unfinished string", "the closing quote is missing; a text of many lines is written [[ … ]]" },
  { "undefined label", "`goto` needs a `::label::` in the same or an outer block" },
  {
    "module '([^']+)' not found",
    "there are no modules but the built-in ones, which are globals already, and the files of this program: "
      .. "`require(\"lib.util\")` finds lib/util.lua or lib/util/init.lua",
  },
  { "stack overflow", "a function calls itself without an end: what should stop it never becomes true" },
  {
    "bad argument #(%d+) to '?(%w+)'? %([%w, ]+ expected, got n[io]",
    "argument %1 of %2 is nil: is it set on every way to this line? What comes from outside may be missing: "
      .. "`event.query.name or \"none\"`",
  },
  { "requires itself", "two files that need each other: move what both need into a third one" },
  { "bad argument #(%d+)", "argument %1 of this call has the wrong type: print(type(value)) tells which it has" },
  { "not enough memory", "the run needs more memory than there is: keep less at a time" },
}

local tips = {}

-- Plain text, or nil.
function tips.find(message)
  for index = 1, #TIPS do
    local pattern, tip = TIPS[index][1], TIPS[index][2]
    local start, _, first, second = find(message, pattern)
    if start ~= nil then
      return (gsub(tip, "%%([12])", function(number)
        return number == "1" and first or second
      end))
    end
  end
  return nil
end

return tips
