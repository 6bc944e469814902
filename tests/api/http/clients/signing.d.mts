export interface Settings {
  url: string;
  origin: string;
  chainId: number;
  ledger: string;
  party: string;
  broker: string;
  kid: string;
  key: object;
  now: number;
}

export function statementOf(settings: Settings, nonce: string, now: number): string;
