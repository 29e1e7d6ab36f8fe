CREATE TABLE "payment_revocations" (
	"order_id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"outcome" text NOT NULL,
	"evidence" text NOT NULL,
	"proposed_by" text NOT NULL,
	"proposed_at" timestamp with time zone NOT NULL,
	"decided_by" text,
	"decided_at" timestamp with time zone
);

--> statement-breakpoint
-- Money that came again after a bank had taken it back counts as sold again: the revocation has been deducted as a refund.
CREATE OR REPLACE VIEW "provider_movements" AS
SELECT posting_id, entry_id, kind, account, provider_id, order_id, at,
  to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
  CASE WHEN kind IN ('sale', 'repayment') THEN -amount ELSE 0 END AS sold,
  CASE WHEN kind IN ('sale', 'repayment') AND account LIKE 'platform_fee:%' THEN -amount ELSE 0 END AS commission,
  CASE WHEN kind IN ('refund', 'revocation') THEN amount ELSE 0 END AS refunded,
  CASE WHEN kind IN ('refund', 'revocation') AND account LIKE 'platform_fee:%' THEN amount ELSE 0 END AS commission_back,
  CASE WHEN kind = 'release' AND account LIKE 'provider\_balance:%' THEN -amount ELSE 0 END AS released,
  CASE WHEN kind LIKE 'provider-withdrawal%' AND account LIKE 'provider\_balance:%' THEN amount ELSE 0 END AS withdrawn
FROM ledger_postings
WHERE account LIKE 'provider\_%' OR account LIKE 'platform\_fee:%';
