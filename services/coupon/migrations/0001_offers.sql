-- The replica of the catalogue has no names of shops yet; it is learnt anew at the next start.
DELETE FROM "products";--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "provider_name" text NOT NULL;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "self_operated" boolean NOT NULL;--> statement-breakpoint
CREATE INDEX "claims_coupon" ON "claims" USING btree ("coupon_id","status");--> statement-breakpoint
CREATE INDEX "coupons_newest" ON "coupons" USING btree ("published_at","coupon_id");--> statement-breakpoint
CREATE INDEX "coupons_newest_of_provider" ON "coupons" USING btree ("provider_id","published_at","coupon_id");--> statement-breakpoint
CREATE FUNCTION "refuse_coupon_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'coupon % is published: only its status and what is claimed of it change', OLD.coupon_id USING ERRCODE = 'restrict_violation';
END $$;
--> statement-breakpoint
CREATE TRIGGER "coupons_are_immutable" BEFORE UPDATE ON "coupons" FOR EACH ROW
  WHEN (
    ROW(OLD.coupon_id, OLD.number, OLD.name, OLD.provider_id, OLD.provider_name, OLD.benefit, OLD.scope, OLD.scenes, OLD.stock, OLD.per_buyer,
      OLD.claim_from, OLD.claim_until, OLD.valid_from, OLD.valid_until, OLD.valid_days, OLD.listed, OLD.published_at)
    IS DISTINCT FROM
    ROW(NEW.coupon_id, NEW.number, NEW.name, NEW.provider_id, NEW.provider_name, NEW.benefit, NEW.scope, NEW.scenes, NEW.stock, NEW.per_buyer,
      NEW.claim_from, NEW.claim_until, NEW.valid_from, NEW.valid_until, NEW.valid_days, NEW.listed, NEW.published_at)
  )
  EXECUTE FUNCTION "refuse_coupon_change"();
