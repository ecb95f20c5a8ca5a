// Written by dashboard/scripts/api-types.mjs from the OpenAPI document of the server. Do not edit.

export type ErrorBody = {
  error: { code: string; message: string; details?: unknown; executionId?: string | undefined };
};

export type Schedule = {
  cron: string;
  timeZone: string;
  overlap: "allow" | "forbid" | "replace";
  missed: "skip" | "once" | "all";
  paused: boolean;
  input?: unknown;
};

export type Alias = { name: string; targets: { version: number; weight: number }[] };

export type Version = {
  version: number;
  language: string;
  style?: "script" | "web" | "lambda" | "main" | "asgi" | "wsgi" | "handler" | "program" | undefined;
  entry?: string | undefined;
  mode?: "native" | "wasm" | undefined;
  artifacts?: { mode: "native" | "wasm"; sizeBytes: number; sha256: string }[] | undefined;
  upload?: { id: string; label: string; description: string } | undefined;
  egress?: "none" | "public" | "all" | string[] | undefined;
  createdBy?: string | undefined;
  createdAt: string;
  contentHash: string;
  sizeBytes: number;
  active: boolean;
};

export type VersionWithCode = {
  version: number;
  language: string;
  style?: "script" | "web" | "lambda" | "main" | "asgi" | "wsgi" | "handler" | "program" | undefined;
  entry?: string | undefined;
  mode?: "native" | "wasm" | undefined;
  artifacts?: { mode: "native" | "wasm"; sizeBytes: number; sha256: string }[] | undefined;
  upload?: { id: string; label: string; description: string } | undefined;
  egress?: "none" | "public" | "all" | string[] | undefined;
  createdBy?: string | undefined;
  createdAt: string;
  contentHash: string;
  sizeBytes: number;
  active: boolean;
  code: string;
  files?: { [name: string]: string } | undefined;
};

export type FunctionSummary = {
  id: string;
  name: string;
  description: string;
  disabled: boolean;
  timeoutMs?: number | undefined;
  concurrency: number;
  isolation: "warm" | "fresh";
  egress?: "none" | "public" | "all" | string[] | undefined;
  access: "key" | "public";
  corsOrigins: string[];
  callsPerMinute?: number | undefined;
  saveResponses: boolean;
  retentionDays?: number | undefined;
  retentionCount?: number | undefined;
  retry: { attempts: number; backoffMs: number; maxBackoffMs: number };
  jobConcurrency?: number | undefined;
  schedule?: Schedule | undefined;
  language?: string | undefined;
  activeVersion?: number | undefined;
  url: string;
  createdAt: string;
  updatedAt: string;
};

export type FunctionWithAll = {
  id: string;
  name: string;
  description: string;
  disabled: boolean;
  timeoutMs?: number | undefined;
  concurrency: number;
  isolation: "warm" | "fresh";
  egress?: "none" | "public" | "all" | string[] | undefined;
  access: "key" | "public";
  corsOrigins: string[];
  callsPerMinute?: number | undefined;
  saveResponses: boolean;
  retentionDays?: number | undefined;
  retentionCount?: number | undefined;
  retry: { attempts: number; backoffMs: number; maxBackoffMs: number };
  jobConcurrency?: number | undefined;
  schedule?: Schedule | undefined;
  language?: string | undefined;
  activeVersion?: number | undefined;
  url: string;
  createdAt: string;
  updatedAt: string;
  version?: VersionWithCode | undefined;
  aliases: Alias[];
  env: { [name: string]: string };
  secrets: string[];
};

export type LogLine = {
  level: "debug" | "info" | "warn" | "error";
  stream: "stdout" | "stderr";
  at: string;
  text: string;
};

export type Execution = {
  id: string;
  trigger: "http" | "script" | "invoke" | "run-now" | "async" | "cron" | "mcp";
  functionId?: string | undefined;
  functionName?: string | undefined;
  version?: number | undefined;
  language: string;
  status: "running" | "success" | "error" | "timeout" | "oom" | "killed" | "cancelled";
  error?: string | undefined;
  queuedAt: string;
  waitMs: number;
  runMs: number;
  cpuMs?: number | undefined;
  peakMemoryBytes?: number | undefined;
  coldStart: boolean;
  httpStatus?: number | undefined;
  logsTruncated: boolean;
};

export type Accepted = { jobId: string; status: "queued"; url: string };

export type Result = {
  executionId: string;
  status: "running" | "success" | "error" | "timeout" | "oom" | "killed" | "cancelled";
  result?: unknown;
  response?: { statusCode: number; headers: [string, string][]; body: string; isBase64Encoded: boolean } | undefined;
  error?:
    | {
        message: string;
        name?: string | undefined;
        stack?: string | undefined;
        line?: number | undefined;
        tip?: string | undefined;
      }
    | undefined;
  version: number;
  coldStart: boolean;
  waitMs: number;
  runMs: number;
  logs: LogLine[];
  logsTruncated: boolean;
};

export type ExecutionWithAll = {
  id: string;
  trigger: "http" | "script" | "invoke" | "run-now" | "async" | "cron" | "mcp";
  functionId?: string | undefined;
  functionName?: string | undefined;
  version?: number | undefined;
  language: string;
  status: "running" | "success" | "error" | "timeout" | "oom" | "killed" | "cancelled";
  error?: string | undefined;
  queuedAt: string;
  waitMs: number;
  runMs: number;
  cpuMs?: number | undefined;
  peakMemoryBytes?: number | undefined;
  coldStart: boolean;
  httpStatus?: number | undefined;
  logsTruncated: boolean;
  errorLine?: number | undefined;
  errorTip?: string | undefined;
  codeFrame?: string | undefined;
  event?: unknown;
  response?: unknown;
  logCount: number;
};

export type Job = {
  id: string;
  kind: string;
  functionId?: string | undefined;
  functionName?: string | undefined;
  status: "queued" | "running" | "completed" | "dead" | "cancelled";
  priority: number;
  attempts: number;
  attemptsMade: number;
  createdAt: string;
  nextAttemptAt?: string | undefined;
  finishedAt?: string | undefined;
  error?: string | undefined;
};

export type JobWithAll = {
  id: string;
  kind: string;
  functionId?: string | undefined;
  functionName?: string | undefined;
  status: "queued" | "running" | "completed" | "dead" | "cancelled";
  priority: number;
  attempts: number;
  attemptsMade: number;
  createdAt: string;
  nextAttemptAt?: string | undefined;
  finishedAt?: string | undefined;
  error?: string | undefined;
  history: {
    number: number;
    executionId: string;
    startedAt: string;
    endedAt?: string | undefined;
    error?: string | undefined;
  }[];
  input?: unknown;
  request?: { method: string; path: string; query: string } | undefined;
  version?: string | undefined;
  timeoutMs?: number | undefined;
  callbackUrl?: string | undefined;
  scheduledAt?: string | undefined;
  result?: unknown;
  response?: { statusCode: number; headers: [string, string][]; body: string; isBase64Encoded: boolean } | undefined;
  resultDropped?: boolean | undefined;
};

export type Key = {
  id: string;
  name: string;
  scope: "admin" | "deploy" | "invoke" | "read";
  hint: string;
  createdAt: string;
  lastUsedAt?: string | undefined;
};

export type KvEntry = { key: string; value: unknown; expiresAt?: string | undefined };

export type NumberedLogLine = {
  level: "debug" | "info" | "warn" | "error";
  stream: "stdout" | "stderr";
  at: string;
  text: string;
  n: number;
};

export type MetricsStep = {
  from: string;
  calls: number;
  errors: number;
  coldStarts: number;
  runMsAverage?: number | undefined;
  runMsMax?: number | undefined;
  cpuMs: number;
  peakMemoryBytes?: number | undefined;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
  p99Ms?: number | undefined;
};

export type RecentStep = {
  from: string;
  calls: number;
  errors: number;
  coldStarts: number;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
  p99Ms?: number | undefined;
};

export type Session = {
  scope: "admin" | "deploy" | "invoke" | "read";
  via: "open" | "key" | "session";
  expiresAt?: string | undefined;
};

export type SystemSummary = {
  version: string;
  startedAt: string;
  memoryBytes: number;
  runtimes: { base: string; languages: string[]; found: boolean }[];
  builders: { language: string; found: boolean; title?: string | undefined; reason?: string | undefined }[];
  store: { kind: "sqlite" | "redis" };
  nodes?: { id: string }[] | undefined;
  pool: { maxWorkers: number; waiting: number; maxQueue: number };
};

export type Variables = { env: { [name: string]: string }; secrets: string[] };

export type Diff = {
  from: number;
  to: number;
  files: {
    path: string;
    status: "unchanged" | "changed" | "added" | "removed";
    items: {
      type: "unchanged" | "added" | "removed";
      oldLine?: number | undefined;
      newLine?: number | undefined;
      text: string;
    }[];
  }[];
};

export type NewKey = {
  id: string;
  name: string;
  scope: "admin" | "deploy" | "invoke" | "read";
  hint: string;
  createdAt: string;
  lastUsedAt?: string | undefined;
  key: string;
};

/** What each operation takes and answers, by its `operationId`. */
export interface Operations {
  listFunctions: {
    params: undefined;
    query: {
      search?: string | undefined;
      language?: string | undefined;
      sort?: "name" | "created" | "updated" | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    };
    body: undefined;
    response: { items: FunctionSummary[]; nextCursor?: string | undefined };
  };
  createFunction: {
    params: undefined;
    query: undefined;
    body: {
      name: string;
      language?: string | undefined;
      code?: string | undefined;
      files?: { [name: string]: string } | undefined;
      entry?: string | undefined;
      egress?: "none" | "public" | "all" | string[] | null | undefined;
      activate?: boolean | undefined;
      description?: string | undefined;
      disabled?: boolean | undefined;
      timeoutMs?: number | null | undefined;
      concurrency?: number | undefined;
      isolation?: "warm" | "fresh" | undefined;
      access?: "key" | "public" | undefined;
      corsOrigins?: string[] | undefined;
      callsPerMinute?: number | null | undefined;
      saveResponses?: boolean | undefined;
      retentionDays?: number | null | undefined;
      retentionCount?: number | null | undefined;
      retry?:
        | { attempts?: number | undefined; backoffMs?: number | undefined; maxBackoffMs?: number | undefined }
        | undefined;
      jobConcurrency?: number | null | undefined;
      schedule?:
        | {
            cron: string;
            timeZone?: string | undefined;
            overlap?: "allow" | "forbid" | "replace" | undefined;
            missed?: "skip" | "once" | "all" | undefined;
            paused?: boolean | undefined;
            input?: unknown;
          }
        | null
        | undefined;
    };
    response: FunctionWithAll;
  };
  readFunction: { params: { id: string }; query: undefined; body: undefined; response: FunctionWithAll };
  putFunction: {
    params: { id: string };
    query: { language?: string | undefined; entry?: string | undefined; activate?: "true" | "false" | undefined };
    body: {
      language?: string | undefined;
      code?: string | undefined;
      files?: { [name: string]: string } | undefined;
      entry?: string | undefined;
      egress?: "none" | "public" | "all" | string[] | undefined;
      activate?: boolean | undefined;
    };
    response: FunctionWithAll;
  };
  changeFunction: {
    params: { id: string };
    query: undefined;
    body: {
      name?: string | undefined;
      description?: string | undefined;
      disabled?: boolean | undefined;
      timeoutMs?: number | null | undefined;
      concurrency?: number | undefined;
      isolation?: "warm" | "fresh" | undefined;
      egress?: "none" | "public" | "all" | string[] | null | undefined;
      access?: "key" | "public" | undefined;
      corsOrigins?: string[] | undefined;
      callsPerMinute?: number | null | undefined;
      saveResponses?: boolean | undefined;
      retentionDays?: number | null | undefined;
      retentionCount?: number | null | undefined;
      retry?:
        | { attempts?: number | undefined; backoffMs?: number | undefined; maxBackoffMs?: number | undefined }
        | undefined;
      jobConcurrency?: number | null | undefined;
      schedule?:
        | {
            cron: string;
            timeZone?: string | undefined;
            overlap?: "allow" | "forbid" | "replace" | undefined;
            missed?: "skip" | "once" | "all" | undefined;
            paused?: boolean | undefined;
            input?: unknown;
          }
        | null
        | undefined;
    };
    response: FunctionSummary;
  };
  deleteFunction: { params: { id: string }; query: undefined; body: undefined; response: undefined };
  listVersions: {
    params: { id: string };
    query: { limit?: number | undefined; cursor?: string | undefined };
    body: undefined;
    response: { items: Version[]; nextCursor?: string | undefined };
  };
  createVersion: {
    params: { id: string };
    query: { language?: string | undefined; entry?: string | undefined; activate?: "true" | "false" | undefined };
    body: {
      language?: string | undefined;
      code?: string | undefined;
      files?: { [name: string]: string } | undefined;
      entry?: string | undefined;
      egress?: "none" | "public" | "all" | string[] | undefined;
      activate?: boolean | undefined;
    };
    response: Version;
  };
  readVersion: {
    params: { id: string; version: number };
    query: undefined;
    body: undefined;
    response: VersionWithCode;
  };
  deleteVersion: { params: { id: string; version: number }; query: undefined; body: undefined; response: undefined };
  activateVersion: {
    params: { id: string; version: number };
    query: undefined;
    body: undefined;
    response: FunctionSummary;
  };
  diffVersions: { params: { id: string; from: number; to: number }; query: undefined; body: undefined; response: Diff };
  listAliases: { params: { id: string }; query: undefined; body: undefined; response: { items: Alias[] } };
  readAlias: { params: { id: string; name: string }; query: undefined; body: undefined; response: Alias };
  putAlias: {
    params: { id: string; name: string };
    query: undefined;
    body: { version?: number | undefined; targets?: { version: number; weight: number }[] | undefined };
    response: Alias;
  };
  deleteAlias: { params: { id: string; name: string }; query: undefined; body: undefined; response: undefined };
  readEnv: { params: { id: string }; query: undefined; body: undefined; response: Variables };
  putEnv: { params: { id: string }; query: undefined; body: { env: { [name: string]: string } }; response: Variables };
  putSecret: { params: { id: string; key: string }; query: undefined; body: { value: string }; response: undefined };
  deleteSecret: { params: { id: string; key: string }; query: undefined; body: undefined; response: undefined };
  listFunctionKv: {
    params: { id: string };
    query: { prefix?: string | undefined; limit?: number | undefined; cursor?: string | undefined };
    body: undefined;
    response: { items: KvEntry[]; nextCursor?: string | undefined };
  };
  readFunctionKv: { params: { id: string; key: string }; query: undefined; body: undefined; response: KvEntry };
  putFunctionKv: {
    params: { id: string; key: string };
    query: { ttl?: number | undefined };
    body: { value: unknown };
    response: undefined;
  };
  deleteFunctionKv: { params: { id: string; key: string }; query: undefined; body: undefined; response: undefined };
  listGlobalKv: {
    params: undefined;
    query: { prefix?: string | undefined; limit?: number | undefined; cursor?: string | undefined };
    body: undefined;
    response: { items: KvEntry[]; nextCursor?: string | undefined };
  };
  readGlobalKv: { params: { key: string }; query: undefined; body: undefined; response: KvEntry };
  putGlobalKv: {
    params: { key: string };
    query: { ttl?: number | undefined };
    body: { value: unknown };
    response: undefined;
  };
  deleteGlobalKv: { params: { key: string }; query: undefined; body: undefined; response: undefined };
  invoke: {
    params: { id: string };
    query: undefined;
    body: {
      input?: unknown;
      request?:
        | {
            method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | undefined;
            path?: string | undefined;
            query?: string | undefined;
            headers?: [string, string][] | undefined;
            body?: string | undefined;
            isBase64Encoded?: boolean | undefined;
          }
        | undefined;
      version?: string | undefined;
      timeoutMs?: number | undefined;
      delayMs?: number | undefined;
      attempts?: number | undefined;
      priority?: number | undefined;
      callbackUrl?: string | undefined;
    };
    response: Result | Accepted;
  };
  listJobs: {
    params: undefined;
    query: {
      function?: string | undefined;
      status?: "queued" | "running" | "completed" | "dead" | "cancelled" | undefined;
      kind?: "invocation" | "cron" | "callback" | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    };
    body: undefined;
    response: { items: Job[]; nextCursor?: string | undefined };
  };
  readJob: { params: { id: string }; query: undefined; body: undefined; response: JobWithAll };
  cancelJob: { params: { id: string }; query: undefined; body: undefined; response: undefined };
  replayJob: { params: { id: string }; query: undefined; body: undefined; response: Job };
  replayJobs: {
    params: undefined;
    query: undefined;
    body: { functionId?: string | undefined; status?: "dead" | "cancelled" | undefined };
    response: { replayed: number };
  };
  readWebhookSecret: { params: { id: string }; query: undefined; body: undefined; response: { secret: string } };
  readSchedule: { params: { id: string }; query: undefined; body: undefined; response: Schedule };
  putSchedule: {
    params: { id: string };
    query: undefined;
    body: {
      cron: string;
      timeZone?: string | undefined;
      overlap?: "allow" | "forbid" | "replace" | undefined;
      missed?: "skip" | "once" | "all" | undefined;
      paused?: boolean | undefined;
      input?: unknown;
    };
    response: Schedule;
  };
  deleteSchedule: { params: { id: string }; query: undefined; body: undefined; response: undefined };
  nextFires: {
    params: { id: string };
    query: undefined;
    body: undefined;
    response: { timeZone: string; paused: boolean; fires: { at: string; local: string }[] };
  };
  runSchedule: { params: { id: string }; query: undefined; body: undefined; response: Accepted };
  listExecutions: {
    params: undefined;
    query: {
      function?: string | undefined;
      version?: number | undefined;
      status?: "running" | "success" | "error" | "timeout" | "oom" | "killed" | "cancelled" | undefined;
      trigger?: "http" | "script" | "invoke" | "run-now" | "async" | "cron" | "mcp" | undefined;
      from?: string | undefined;
      to?: string | undefined;
      text?: string | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    };
    body: undefined;
    response: { items: Execution[]; nextCursor?: string | undefined };
  };
  readExecution: { params: { id: string }; query: undefined; body: undefined; response: ExecutionWithAll };
  cancelExecution: { params: { id: string }; query: undefined; body: undefined; response: undefined };
  replayExecution: {
    params: { id: string };
    query: { version?: string | undefined };
    body: undefined;
    response: Result;
  };
  readLogs: {
    params: { id: string };
    query: {
      level?: "debug" | "info" | "warn" | "error" | undefined;
      search?: string | undefined;
      follow?: "0" | "1" | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    };
    body: undefined;
    response: { items: NumberedLogLine[]; nextCursor?: string | undefined };
  };
  readFunctionMetrics: {
    params: { id: string };
    query: { from?: string | undefined; to?: string | undefined; step?: number | undefined };
    body: undefined;
    response: { functionId: string; from: string; to: string; step: number; items: MetricsStep[] };
  };
  readMetrics: {
    params: undefined;
    query: {
      from?: string | undefined;
      to?: string | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    };
    body: undefined;
    response: {
      items: {
        functionId: string;
        name: string;
        calls: number;
        errors: number;
        coldStarts: number;
        runMsAverage?: number | undefined;
        runMsMax?: number | undefined;
        cpuMs: number;
        peakMemoryBytes?: number | undefined;
        p50Ms?: number | undefined;
        p95Ms?: number | undefined;
        p99Ms?: number | undefined;
      }[];
      nextCursor?: string | undefined;
    };
  };
  readRecentMetrics: {
    params: undefined;
    query: undefined;
    body: undefined;
    response: { step: number; items: RecentStep[] };
  };
  listKeys: { params: undefined; query: undefined; body: undefined; response: { items: Key[] } };
  createKey: {
    params: undefined;
    query: undefined;
    body: { name: string; scope: "admin" | "deploy" | "invoke" | "read" };
    response: NewKey;
  };
  deleteKey: { params: { id: string }; query: undefined; body: undefined; response: undefined };
  login: { params: undefined; query: undefined; body: { key: string }; response: Session };
  readSession: { params: undefined; query: undefined; body: undefined; response: Session };
  logout: { params: undefined; query: undefined; body: undefined; response: undefined };
  readSystem: { params: undefined; query: undefined; body: undefined; response: SystemSummary };
  readOpenapi: { params: undefined; query: undefined; body: undefined; response: { openapi: string } };
  readDocs: { params: undefined; query: undefined; body: undefined; response: undefined };
}

export const ROUTES = {
  listFunctions: ["GET", "/api/functions"],
  createFunction: ["POST", "/api/functions"],
  readFunction: ["GET", "/api/functions/{id}"],
  putFunction: ["PUT", "/api/functions/{id}"],
  changeFunction: ["PATCH", "/api/functions/{id}"],
  deleteFunction: ["DELETE", "/api/functions/{id}"],
  listVersions: ["GET", "/api/functions/{id}/versions"],
  createVersion: ["POST", "/api/functions/{id}/versions"],
  readVersion: ["GET", "/api/functions/{id}/versions/{version}"],
  deleteVersion: ["DELETE", "/api/functions/{id}/versions/{version}"],
  activateVersion: ["POST", "/api/functions/{id}/versions/{version}/activate"],
  diffVersions: ["GET", "/api/functions/{id}/diff/{from}/{to}"],
  listAliases: ["GET", "/api/functions/{id}/aliases"],
  readAlias: ["GET", "/api/functions/{id}/aliases/{name}"],
  putAlias: ["PUT", "/api/functions/{id}/aliases/{name}"],
  deleteAlias: ["DELETE", "/api/functions/{id}/aliases/{name}"],
  readEnv: ["GET", "/api/functions/{id}/env"],
  putEnv: ["PUT", "/api/functions/{id}/env"],
  putSecret: ["PUT", "/api/functions/{id}/secrets/{key}"],
  deleteSecret: ["DELETE", "/api/functions/{id}/secrets/{key}"],
  listFunctionKv: ["GET", "/api/functions/{id}/kv"],
  readFunctionKv: ["GET", "/api/functions/{id}/kv/{key}"],
  putFunctionKv: ["PUT", "/api/functions/{id}/kv/{key}"],
  deleteFunctionKv: ["DELETE", "/api/functions/{id}/kv/{key}"],
  listGlobalKv: ["GET", "/api/kv"],
  readGlobalKv: ["GET", "/api/kv/{key}"],
  putGlobalKv: ["PUT", "/api/kv/{key}"],
  deleteGlobalKv: ["DELETE", "/api/kv/{key}"],
  invoke: ["POST", "/api/functions/{id}/invocations"],
  listJobs: ["GET", "/api/jobs"],
  readJob: ["GET", "/api/jobs/{id}"],
  cancelJob: ["DELETE", "/api/jobs/{id}"],
  replayJob: ["POST", "/api/jobs/{id}/replay"],
  replayJobs: ["POST", "/api/jobs/replay"],
  readWebhookSecret: ["GET", "/api/functions/{id}/webhook-secret"],
  readSchedule: ["GET", "/api/functions/{id}/schedule"],
  putSchedule: ["PUT", "/api/functions/{id}/schedule"],
  deleteSchedule: ["DELETE", "/api/functions/{id}/schedule"],
  nextFires: ["GET", "/api/functions/{id}/schedule/next"],
  runSchedule: ["POST", "/api/functions/{id}/schedule/run"],
  listExecutions: ["GET", "/api/executions"],
  readExecution: ["GET", "/api/executions/{id}"],
  cancelExecution: ["DELETE", "/api/executions/{id}"],
  replayExecution: ["POST", "/api/executions/{id}/replay"],
  readLogs: ["GET", "/api/executions/{id}/logs"],
  readFunctionMetrics: ["GET", "/api/metrics/functions/{id}"],
  readMetrics: ["GET", "/api/metrics"],
  readRecentMetrics: ["GET", "/api/metrics/recent"],
  listKeys: ["GET", "/api/keys"],
  createKey: ["POST", "/api/keys"],
  deleteKey: ["DELETE", "/api/keys/{id}"],
  login: ["POST", "/api/session"],
  readSession: ["GET", "/api/session"],
  logout: ["DELETE", "/api/session"],
  readSystem: ["GET", "/api/system"],
  readOpenapi: ["GET", "/api/openapi.json"],
  readDocs: ["GET", "/api/docs"],
} as const satisfies { readonly [Id in keyof Operations]: readonly [method: string, path: string] };
