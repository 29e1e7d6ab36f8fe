INSERT INTO "ledger_closing" ("ledger", "through") VALUES ('ledger', '2000-01-01T00:00:00Z');
--> statement-breakpoint
-- Whoever posts holds the lock of the ledger shared until it has committed; whoever closes an hour holds it alone, so that no entry of
-- that hour is on its way. An entry that comes too late is refused, and its decision is made anew at a later time.
CREATE OR REPLACE FUNCTION "refuse_unbalanced_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad text;
BEGIN
  SELECT entry_id INTO bad FROM inserted GROUP BY entry_id HAVING sum(amount) <> 0 LIMIT 1;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'entry % is out of balance', bad USING ERRCODE = 'check_violation';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger', 0));
  SELECT entry_id INTO bad FROM inserted WHERE at < (SELECT through FROM ledger_closing) LIMIT 1;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'entry % is of a time that the ledger is closed for', bad USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "close_ledger"("until" timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  since timestamptz;
BEGIN
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
