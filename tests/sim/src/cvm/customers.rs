//! The accounts, from outside the API: keys come, go and expire, money runs out, limits are set.

use super::cloud::Cloud;
use super::console::NoSuch;
use super::machine::{Isolation, Machine, State};
use super::world::{Account, Credential};

impl Cloud {
    /// An account that nobody has a key of yet, with the usual limits. One that exists stays as it is.
    pub fn add_account(&mut self, name: &str) {
        if self.account_index(name).is_err() {
            self.accounts.push(Account::without_keys(name));
        }
    }

    /// Sets how many machines an account may have in one region.
    ///
    /// # Errors
    /// When the account does not exist.
    pub fn set_instance_quota(&mut self, account: &str, instances: u32) -> Result<(), NoSuch> {
        let index = self.account_index(account)?;
        self.accounts[index].instance_quota = instances;
        Ok(())
    }

    /// Whether an account can pay.
    ///
    /// # Errors
    /// When the account does not exist.
    pub fn set_arrears(&mut self, account: &str, in_arrears: bool) -> Result<(), NoSuch> {
        let index = self.account_index(account)?;
        self.accounts[index].in_arrears = in_arrears;
        Ok(())
    }

    /// Gives an account one key pair more. One that exists with the same `SecretId` is replaced.
    ///
    /// # Errors
    /// When the account does not exist.
    pub fn add_credential(&mut self, account: &str, credential: Credential) -> Result<(), NoSuch> {
        let index = self.account_index(account)?;
        self.remove_credential(&credential.secret_id);
        self.accounts[index].credentials.push(credential);
        Ok(())
    }

    /// Takes a key pair away: calls with it are refused from now on. Says whether it existed.
    pub fn remove_credential(&mut self, secret_id: &str) -> bool {
        self.signing_keys.remove(secret_id);
        let mut found = false;
        for account in &mut self.accounts {
            let before = account.credentials.len();
            account.credentials.retain(|credential| credential.secret_id != secret_id);
            found |= account.credentials.len() < before;
        }
        found
    }

    pub(super) fn account_index(&self, name: &str) -> Result<usize, NoSuch> {
        self.accounts
            .iter()
            .position(|account| account.name == name)
            .ok_or_else(|| NoSuch::new("account", name))
    }

    /// Keeps every machine of an account from working because it has not paid, or lets all of those work again.
    ///
    /// # Errors
    /// When the account does not exist.
    pub fn isolate_for_arrears(&mut self, account: &str, isolated: bool) -> Result<(), NoSuch> {
        self.account_index(account)?;
        let concerned = |machine: &&Machine| {
            machine.account == account
                && match isolated {
                    true => matches!(machine.state, State::Running | State::Stopped),
                    false => machine.isolation == Isolation::Arrear,
                }
        };
        let ids: Vec<String> = self.existing().filter(concerned).map(|machine| machine.id.clone()).collect();
        let source = if isolated { Isolation::Arrear } else { Isolation::NotIsolated };
        ids.iter().try_for_each(|id| self.isolate(id, source))
    }

    /// A temporary key pair's token is over from now on.
    ///
    /// # Errors
    /// When there is no such `SecretId`.
    pub fn expire_credential(&mut self, secret_id: &str) -> Result<(), NoSuch> {
        let now = self.now;
        let credentials = self.accounts.iter_mut().flat_map(|account| &mut account.credentials);
        let found = credentials.into_iter().find(|credential| credential.secret_id == secret_id);
        found.ok_or_else(|| NoSuch::new("SecretId", secret_id))?.expires_at = Some(now);
        Ok(())
    }
}
