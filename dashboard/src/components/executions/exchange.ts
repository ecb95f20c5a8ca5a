// The shapes in which requests and responses are kept. Whatever does not fit them is shown as JSON.

export interface KeptBody {
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly bodyTruncated?: boolean;
}

export interface KeptRequest extends KeptBody {
  readonly method: string;
  readonly path: string;
  readonly relativePath?: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KeptResponse extends KeptBody {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

export function requestOf(event: unknown): KeptRequest | undefined {
  if (!isObject(event) || !isObject(event["headers"])) return undefined;
  const { method, path, query } = event;
  return typeof method === "string" && typeof path === "string" && typeof query === "string"
    ? (event as unknown as KeptRequest)
    : undefined;
}

export function responseOf(response: unknown): KeptResponse | undefined {
  return isObject(response) && typeof response["statusCode"] === "number" && isObject(response["headers"])
    ? (response as unknown as KeptResponse)
    : undefined;
}

export function contentTypeOf(headers: Readonly<Record<string, string>>): string {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === "content-type");
  return (name === undefined ? "" : (headers[name] ?? "")).toLowerCase();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
