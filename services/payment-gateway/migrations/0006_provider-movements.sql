-- What each posting means to a provider, said once for lines, open months and issued statements. All amounts positive.
CREATE VIEW "provider_movements" AS
SELECT posting_id, entry_id, kind, account, provider_id, order_id, at,
  to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
  CASE WHEN kind = 'sale' THEN -amount ELSE 0 END AS sold,
  CASE WHEN kind = 'sale' AND account LIKE 'platform_fee:%' THEN -amount ELSE 0 END AS commission,
  CASE WHEN kind IN ('refund', 'revocation') THEN amount ELSE 0 END AS refunded,
  CASE WHEN kind IN ('refund', 'revocation') AND account LIKE 'platform_fee:%' THEN amount ELSE 0 END AS commission_back,
  CASE WHEN kind = 'release' AND account LIKE 'provider\_balance:%' THEN -amount ELSE 0 END AS released,
  CASE WHEN kind LIKE 'provider-withdrawal%' AND account LIKE 'provider\_balance:%' THEN amount ELSE 0 END AS withdrawn
FROM ledger_postings
WHERE account LIKE 'provider\_%' OR account LIKE 'platform\_fee:%';
--> statement-breakpoint
CREATE FUNCTION "issue_statements"("until" timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz;
BEGIN
  SELECT issued_through INTO since FROM ledger_closing WHERE through >= until FOR UPDATE;
  IF since IS NULL OR until <= since THEN
    RETURN;
  END IF;
  INSERT INTO provider_statements (provider_id, month, sales, sold, commission, refunds, refunded, commission_back, released, withdrawn)
    SELECT provider_id, month, count(DISTINCT entry_id) FILTER (WHERE kind = 'sale'), sum(sold), sum(commission),
      count(DISTINCT entry_id) FILTER (WHERE kind IN ('refund', 'revocation')), sum(refunded), sum(commission_back), sum(released), sum(withdrawn)
    FROM provider_movements WHERE at >= since AND at < until GROUP BY provider_id, month;
  UPDATE ledger_closing SET issued_through = until;
END $$;
--> statement-breakpoint
-- Asked for a time that is closed already, as an issuing of statements does, it must not keep anybody from posting.
CREATE OR REPLACE FUNCTION "close_ledger"("until" timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz;
BEGIN
  IF until <= (SELECT through FROM ledger_closing) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('ledger', 0));
  SELECT through INTO since FROM ledger_closing FOR UPDATE;
  IF until <= since THEN
    RETURN;
  END IF;
  UPDATE ledger_closing SET through = until;
  INSERT INTO ledger_balances AS b (account, debit, credit)
    SELECT account, sum(greatest(amount, 0)), sum(greatest(-amount, 0)) FROM ledger_postings
    WHERE at >= since AND at < until GROUP BY account ORDER BY account
    ON CONFLICT (account) DO UPDATE SET debit = b.debit + excluded.debit, credit = b.credit + excluded.credit;
END $$;
