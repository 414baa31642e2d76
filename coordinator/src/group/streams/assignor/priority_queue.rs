//! Java's `PriorityQueue`: a binary heap whose order among equals decides who gets a task.

/// Elements with their priorities, the least first.
#[derive(Debug, Default)]
pub(super) struct PriorityQueue<T> {
    heap: Vec<T>,
}

impl<T: Copy> PriorityQueue<T> {
    /// `less` tells whether one comes before another.
    pub(super) fn of(elements: impl Iterator<Item = T>, less: impl Fn(T, T) -> bool) -> Self {
        let mut queue = Self { heap: Vec::new() };
        for element in elements {
            queue.push(element, &less);
        }
        queue
    }

    pub(super) fn push(&mut self, element: T, less: impl Fn(T, T) -> bool) {
        let mut at = self.heap.len();
        self.heap.push(element);
        while at > 0 {
            let parent = (at - 1) / 2;
            if !less(element, self.heap[parent]) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    pub(super) fn pop(&mut self, less: impl Fn(T, T) -> bool) -> Option<T> {
        let last = self.heap.pop()?;
        let Some(least) = self.heap.first().copied() else {
            return Some(last);
        };
        self.heap[0] = last;
        let mut at = 0;
        while at < self.heap.len() / 2 {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let has_right = right < self.heap.len();
            let child =
                if has_right && less(self.heap[right], self.heap[left]) { right } else { left };
            // As Java does: down unless it is not after the child.
            if !less(self.heap[child], last) {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
        Some(least)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
