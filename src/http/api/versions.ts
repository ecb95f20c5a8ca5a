import { z } from "zod";
import { diffFiles } from "../../services/diff.ts";
import { BYTES, ZIP } from "./bodies.ts";
import { deployBody, deployOf, MAX_CODE_BODY_BYTES, takeQuery, deployQuery } from "./deploy.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import {
  FAULTS,
  functionOut,
  idParams,
  nothing,
  pageOf,
  pageQuery,
  versionNumber,
  versionOut,
  versionWithCode,
} from "./schemas.ts";
import { codeShape, filesOf, functionShape, pageShape, versionShape } from "./shapes.ts";

const versionParams = idParams.extend({ version: versionNumber });
const diffLine = z.object({
  type: z.enum(["unchanged", "added", "removed"]),
  oldLine: z.number().int().optional().describe("counted from 1; absent for an added line"),
  newLine: z.number().int().optional().describe("absent for a removed line"),
  text: z.string(),
});
const diffOut = z
  .object({
    from: z.number().int(),
    to: z.number().int(),
    files: z.array(
      z.object({
        path: z.string().describe('"code" for a text without a name'),
        status: z.enum(["unchanged", "changed", "added", "removed"]),
        items: z.array(diffLine),
      }),
    ),
  })
  .meta({ id: "Diff" });

/** Versions: immutable, one of them active. */
export function versionRoutes(api: Api, parts: ManagementParts): void {
  const { inventory, functions } = parts;

  api.get("/api/functions/:id/versions", {
    config: { scope: "read" },
    schema: {
      operationId: "listVersions",
      summary: "Its versions, the newest first",
      tags: ["versions"],
      params: idParams,
      querystring: z.strictObject(pageQuery),
      response: { 200: pageOf(versionOut), ...FAULTS },
    },
    handler: async ({ params, query }) => {
      const { id, activeVersion } = inventory.function(params.id);
      return pageShape(await inventory.versions(id, query), (version) => versionShape(version, activeVersion));
    },
  });

  api.post("/api/functions/:id/versions", {
    config: { scope: "deploy" },
    bodyLimit: MAX_CODE_BODY_BYTES,
    preValidation: takeQuery,
    schema: {
      operationId: "createVersion",
      summary: "Deploys code; the same code again is the same version",
      tags: ["versions"],
      consumes: ["application/json", ZIP, BYTES],
      params: idParams,
      querystring: deployQuery,
      body: deployBody,
      response: { 200: versionOut, 201: versionOut, ...FAULTS },
    },
    handler: async ({ params, body, raw }, reply) => {
      const known = inventory.function(params.id);
      const deploy = await deployOf(parts, raw, body, known);
      const { version, isNew } = await deploy(known.name);
      const { activeVersion } = inventory.function(known.id);
      return await reply.code(isNew ? 201 : 200).send(versionShape(version, activeVersion));
    },
  });

  api.get("/api/functions/:id/versions/:version", {
    config: { scope: "read" },
    schema: {
      operationId: "readVersion",
      summary: "A version with its code",
      tags: ["versions"],
      params: versionParams,
      response: { 200: versionWithCode, ...FAULTS },
    },
    handler: async ({ params }) => {
      const { id, activeVersion } = inventory.function(params.id);
      return codeShape(await inventory.version(id, params.version), activeVersion);
    },
  });

  api.delete("/api/functions/:id/versions/:version", {
    config: { scope: "deploy" },
    schema: {
      operationId: "deleteVersion",
      summary: "Deletes a version that is not active and that no alias points to",
      tags: ["versions"],
      params: versionParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      await functions.removeVersion(params.id, params.version);
      return await reply.code(204).send();
    },
  });

  api.post("/api/functions/:id/versions/:version/activate", {
    config: { scope: "deploy" },
    schema: {
      operationId: "activateVersion",
      summary: "Calls get this version from now on; an older one is a rollback",
      tags: ["versions"],
      params: versionParams,
      response: { 200: functionOut, ...FAULTS },
    },
    handler: async ({ params }) => functionShape(await functions.activate(params.id, params.version), parts.baseUrl()),
  });

  api.get("/api/functions/:id/diff/:from/:to", {
    config: { scope: "read" },
    schema: {
      operationId: "diffVersions",
      summary: "What differs between two versions, line by line",
      tags: ["versions"],
      params: idParams.extend({ from: versionNumber, to: versionNumber }),
      response: { 200: diffOut, ...FAULTS },
    },
    handler: async ({ params: { id, from, to } }) => {
      const before = await inventory.version(id, from);
      const after = await inventory.version(id, to);
      const nameOfText = before.entry ?? after.entry ?? "code";
      const files = diffFiles(filesOf(before, nameOfText), filesOf(after, nameOfText));
      return { from, to, files };
    },
  });
}
