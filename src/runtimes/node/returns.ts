// Does a script surely end by returning a value? Then no printed line can be its result, and none has to be held back.
// This is advice only: a parser that is older than the interpreter must never fail a program, so failure means "no".
import { parse, type Expression, type Node, type Statement } from "acorn";

export function alwaysReturns(code: string): boolean {
  try {
    const { body } = parse(code, {
      ecmaVersion: "latest",
      sourceType: "script",
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
    });
    const last = body.at(-1);
    return last !== undefined && returns(last as Statement) && !body.some(returnsNothing);
  } catch {
    return false; // too new, or nested too deeply
  }
}

/** True if `node` cannot be left but by returning or throwing. */
function returns(node: Statement | null | undefined): boolean {
  if (!node) return false;
  if (node.type === "ReturnStatement" || node.type === "ThrowStatement") return true;
  if (node.type === "BlockStatement") return returns(node.body.at(-1));
  if (node.type === "IfStatement") return returns(node.consequent) && returns(node.alternate);
  if (node.type !== "TryStatement") return false;
  return returns(node.finalizer) || (returns(node.block) && (!node.handler || returns(node.handler.body)));
}

/** True if there is a `return;` in `node`, or one of what can only be undefined. */
function returnsNothing(node: Node): boolean {
  if (/Function|Class|Expression|Literal/.test(node.type)) return false;
  if (node.type === "ReturnStatement") return isNothing((node as Node & { argument?: Expression | null }).argument);
  return Object.values(node)
    .flat()
    .some((child) => isNode(child) && returnsNothing(child));
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function isNothing(value: Expression | null | undefined): boolean {
  if (!value) return true;
  if (value.type === "Identifier") return value.name === "undefined";
  if (value.type === "UnaryExpression") return value.operator === "void";
  if (value.type !== "CallExpression" || value.callee.type !== "MemberExpression") return false;
  return value.callee.object.type === "Identifier" && value.callee.object.name === "console";
}
