/** The companies that bank here, and who of them may do what. Played: every password is the same. */
export type Clerk = { readonly user: string; readonly title: string; readonly makes: boolean; readonly checks: boolean };
export type Customer = { readonly customerNo: string; readonly name: string; readonly clerks: readonly Clerk[] };

export const SANDBOX_PASSWORD = '000000';

const clerks: readonly Clerk[] = [
  { user: 'zhidan', title: '制单员', makes: true, checks: false },
  { user: 'fuhe1', title: '复核员一', makes: false, checks: true },
  // May do both, but never for one and the same voucher.
  { user: 'fuhe2', title: '复核员二（兼制单）', makes: true, checks: true },
];

const customers: readonly Customer[] = [
  { customerNo: '8800000001', name: '青禾便利连锁', clerks },
  { customerNo: '8800000002', name: '海石物流', clerks },
  { customerNo: '8800000003', name: '苏婷设计工作室', clerks },
];

export const customerOf = (customerNo: string): Customer | undefined => customers.find((one) => one.customerNo === customerNo);
export const clerkOf = (customerNo: string, user: string): Clerk | undefined =>
  customerOf(customerNo)?.clerks.find((one) => one.user === user);
