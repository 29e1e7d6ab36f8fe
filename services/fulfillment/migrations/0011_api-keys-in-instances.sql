UPDATE "instances" i SET "api" = jsonb_build_object(
  'calls', k.calls, 'validDays', null,
  'keys', k.keys)
FROM (
  SELECT "instance_id", coalesce(max("calls"), 0) AS calls, jsonb_agg(jsonb_build_object(
    'secretId', "secret_id", 'secretKey', "secret_key", 'status', "status", 'validUntil', null,
    'createdAt', to_char("created_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY "created_at", "secret_id") AS keys
  FROM "api_keys" GROUP BY "instance_id"
) k WHERE k."instance_id" = i."instance_id";
--> statement-breakpoint
UPDATE "instances" SET "api" = '{"calls": 0, "validDays": null, "keys": []}'::jsonb
WHERE "delivery_type" = 'api' AND NOT "human_delivery" AND "api" IS NULL;
--> statement-breakpoint
DROP TABLE "api_keys" CASCADE;
