// Everything below /api, with its documents: one schema per route, from which validation, types and OpenAPI come.
import swagger from "@fastify/swagger";
import Fastify from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { PlatformError } from "../../core/errors.ts";
import type { NeededScope } from "../access.ts";
import { aliasRoutes } from "./aliases.ts";
import { takeBodies } from "./bodies.ts";
import { documentRoutes } from "./documents.ts";
import { executionRoutes } from "./executions.ts";
import { answerFault, answerFaults } from "./faults.ts";
import { functionRoutes } from "./functions.ts";
import { invocationRoutes } from "./invocations.ts";
import { jobRoutes } from "./jobs.ts";
import { keyRoutes } from "./keys.ts";
import { kvRoutes } from "./kv.ts";
import { logRoutes } from "./logs.ts";
import { metricsRoutes } from "./metrics.ts";
import { openapiSettings } from "./openapi.ts";
import type { ManagementParts } from "./parts.ts";
import { scheduleRoutes } from "./schedules.ts";
import { sessionRoutes } from "./session.ts";
import { systemRoutes } from "./system.ts";
import { validatorCompiler } from "./validation.ts";
import { variableRoutes } from "./variables.ts";
import { versionRoutes } from "./versions.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a caller's key or session must be good for. */
    scope: NeededScope;
  }
}

export type Api = ReturnType<typeof bareApi>;

const MAX_PARAMETER_CHARS = 2048; // a key of 512 bytes, each percent-encoded

/** Ready to answer; it does not listen itself. */
export async function openManagementApi(parts: ManagementParts): Promise<Api> {
  const api = bareApi(parts);
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  takeBodies(api);
  api.addHook("onRoute", ({ method, url, config }) => {
    if (config?.scope === undefined) throw new Error(`${String(method)} ${url} does not say which scope it needs`);
  });
  // The one place where callers are checked: also for paths that lead nowhere, before anything of a body is read.
  api.addHook("onRequest", async (request) => {
    parts.access.checkManagement(request.raw, request.is404 ? "any" : request.routeOptions.config.scope);
  });
  answerFaults(api, parts);
  await api.register(swagger, openapiSettings(parts));
  await api.register(async (scope) => {
    const inner = scope.withTypeProvider<ZodTypeProvider>();
    for (const routes of [
      functionRoutes,
      versionRoutes,
      aliasRoutes,
      variableRoutes,
      kvRoutes,
      invocationRoutes,
      jobRoutes,
      scheduleRoutes,
      executionRoutes,
      logRoutes,
      metricsRoutes,
      keyRoutes,
      sessionRoutes,
      systemRoutes,
      documentRoutes,
    ]) {
      routes(inner, parts);
    }
  });
  await api.ready();
  return api;
}

function bareApi({ access, limits }: ManagementParts) {
  return Fastify({
    bodyLimit: limits.bodyBytes,
    logger: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS, ignoreTrailingSlash: false },
    // Paths that are no valid percent-encoding meet no hook.
    frameworkErrors(error, { raw }, reply) {
      reply.hijack();
      try {
        access.checkManagement(raw, "any");
        throw new PlatformError("INVALID_REQUEST", error.message);
      } catch (fault) {
        if (fault instanceof PlatformError) answerFault(fault, raw, reply.raw);
      }
    },
  }).withTypeProvider<ZodTypeProvider>();
}
