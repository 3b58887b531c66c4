//! The table on the page of runs: the open runs and those found in folders, filtered, sorted and grouped.

mod browser;
mod column;
mod fields;
mod found;
mod order;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use browser::{Browser, Edit};
pub(crate) use column::Column;
pub(crate) use fields::{shortened, title_of};
pub(crate) use found::{DEPTH, Found, Stamp};
pub(crate) use order::Order;
pub(crate) use row::Row;
pub(crate) use table::{Group, Line, Table};
