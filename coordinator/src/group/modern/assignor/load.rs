//! Members by how much they have: from the least loaded and to the most loaded in turns.
//!
//! ```text
//! partitions  [...->  ]  [  <-...]      the least loaded range grows to the right, the most loaded
//!             [#######]##[#######]##    one to the left; those behind it have nothing to give
//! ```
//! Answers to `UniformHeterogeneousAssignmentBuilder.MemberAssignmentBalancer`.

/// The members of one topic, sorted by how many partitions they had at first.
#[derive(Debug, Default)]
pub(super) struct Load {
    sorted: Vec<usize>,
    /// Exclusive.
    least_end: usize,
    least_count: i64,
    next_least: usize,
    most_start: usize,
    /// Exclusive.
    most_end: usize,
    most_count: i64,
    /// One more than the index of the next.
    next_most: usize,
}

impl Load {
    /// Begins anew with these members; `sizes` is how many partitions each member has. Returns how
    /// far the most loaded is from the least loaded.
    pub(super) fn begin(&mut self, members: &[usize], sizes: &[i64]) -> i64 {
        self.sorted = members.to_vec();
        self.sorted.sort_by_key(|member| (sizes[*member], *member));
        let count = self.sorted.len();
        let (least, most) = (sizes[self.sorted[0]], sizes[self.sorted[count - 1]]);
        (self.least_end, self.least_count, self.next_least) = (0, least - 1, 0);
        (self.most_start, self.most_end, self.most_count) = (count, count, most + 1);
        self.next_most = count;
        most - least
    }

    /// Who gets the next partition; it is taken to get it.
    pub(super) fn least(&mut self, sizes: &[i64]) -> usize {
        if self.next_least >= self.least_end {
            self.least_count += 1;
            while self.least_end < self.sorted.len()
                && sizes[self.sorted[self.least_end]] == self.least_count
            {
                self.least_end += 1;
            }
            self.next_least = 0;
        }
        let member = self.sorted[self.next_least];
        self.next_least += 1;
        member
    }

    /// Who gives up the next partition; none when nobody has one.
    pub(super) fn most(&mut self, sizes: &[i64]) -> Option<usize> {
        if self.next_most <= self.most_start {
            if self.most_end <= self.most_start && self.most_start > 0 {
                // All of the range were excluded: it begins anew with who stands before it.
                self.most_count = sizes[self.sorted[self.most_start - 1]];
            } else {
                self.most_count -= 1;
            }
            while self.most_start > 0 && sizes[self.sorted[self.most_start - 1]] == self.most_count
            {
                self.most_start -= 1;
            }
            self.next_most = self.most_end;
        }
        let at = self.next_most.checked_sub(1)?;
        self.next_most = at;
        Some(self.sorted[at])
    }

    /// Whom [`Self::most`] has just named has nothing to give: it leaves the range.
    pub(super) fn exclude_most(&mut self) {
        self.most_end -= 1;
        self.sorted.swap(self.next_most, self.most_end);
    }

    pub(super) fn is_balanced(&self) -> bool {
        self.most_count - self.least_count <= 1
    }
}
