/** Which banks are closed for maintenance: until somebody opens them again, or the process ends. */
export function bankMaintenance() {
  const closed = new Map<string, string>();
  return {
    close: (bank: string, info: string): void => void closed.set(bank, info),
    open: (bank: string): void => void closed.delete(bank),
    of: (bank: string): { readonly under_maintenance: boolean; readonly maintenance_info?: string } => {
      const info = closed.get(bank);
      return info === undefined ? { under_maintenance: false } : { under_maintenance: true, maintenance_info: info };
    },
  };
}
export type Maintenance = ReturnType<typeof bankMaintenance>;
