//! Figures over time, in longer windows and relative to each other.

use super::{Series, SeriesRow};

/// With fewer requests for each server than this, how they are spread over the servers is chance.
const ENOUGH: u32 = 10;

impl Series {
    /// The same in at most about this many rows: neighbouring windows are counted together.
    #[must_use]
    pub fn folded(&self, most: usize) -> Series {
        let each = self.rows.len().div_ceil(most.max(1)).max(1);
        Series { window: self.window * each as u64, rows: self.rows.chunks(each).map(SeriesRow::of_all).collect() }
    }
}

impl SeriesRow {
    /// The row of a window that consists of these.
    fn of_all(rows: &[SeriesRow]) -> SeriesRow {
        let mut all = SeriesRow::default();
        for row in rows {
            all.sent += row.sent;
            all.ok += row.ok;
            all.refused += row.refused;
            all.failed += row.failed;
            all.timed_out += row.timed_out;
            all.logged_out += row.logged_out;
            all.lost_carts += row.lost_carts;
            all.intact_carts += row.intact_carts;
            all.open_carts = row.open_carts;
            all.served.resize(all.served.len().max(row.served.len()), 0);
            all.served.iter_mut().zip(&row.served).for_each(|(sum, served)| *sum += served);
        }
        all
    }

    /// The requests of the busiest server, relative to the mean of those that served any; absent if that mean is less
    /// than ten.
    #[must_use]
    pub fn imbalance(&self) -> Option<f64> {
        let serving = || self.served.iter().copied().filter(|served| *served > 0);
        let (servers, most) = (u32::try_from(serving().count()).ok()?, serving().max()?);
        let mean = serving().map(f64::from).sum::<f64>() / f64::from(servers);
        (mean >= f64::from(ENOUGH)).then(|| f64::from(most) / mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    fn row(lost_carts: u64, open_carts: u64, served: &[u32]) -> SeriesRow {
        SeriesRow { lost_carts, open_carts, served: served.to_vec(), ..SeriesRow::default() }
    }

    #[test]
    fn windows_are_counted_together_and_what_is_open_is_what_is_open_at_their_end() {
        let rows = vec![row(1, 10, &[5]), row(2, 20, &[6, 1]), row(4, 40, &[7, 2])];
        let series = Series { window: Span::from_secs(1), rows };
        assert_eq!(series.folded(3), series);
        let folded = series.folded(2);
        assert_eq!(folded.window, Span::from_secs(2));
        assert_eq!(folded.rows, [row(3, 20, &[11, 1]), row(4, 40, &[7, 2])]);
        assert_eq!(Series::default().folded(5).rows, []);
    }

    #[test]
    fn a_server_that_serves_nothing_is_no_part_of_the_mean() {
        assert_eq!(row(0, 0, &[30, 10, 0]).imbalance(), Some(1.5));
        assert_eq!(row(0, 0, &[12, 6]).imbalance(), None, "too few to tell");
        assert_eq!(row(0, 0, &[0, 0]).imbalance(), None);
    }
}
