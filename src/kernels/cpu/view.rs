//! Matrices as they lie in slices.

/// A matrix in a slice.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

impl<'a> View<'a> {
    /// Rows one after the other.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> View<'a> {
        View::spaced(data, rows, columns, columns)
    }

    /// Rows that begin `stride` elements apart.
    pub fn spaced(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> View<'a> {
        View::strided(data, rows, columns, stride as isize, 1)
    }

    /// Any layout.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: isize, column_stride: isize) -> View<'a> {
        let view = View { data, rows, columns, row_stride, column_stride };
        assert!(view.fits(), "{rows} × {columns} by {row_stride} and {column_stride} in {} elements", data.len());
        view
    }

    /// All that lies behind the first element.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))] // `gemm` takes pointers, our own kernel rows.
    pub fn data(&self) -> &'a [f32] {
        self.data
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Elements from a row to the next.
    pub fn row_stride(&self) -> isize {
        self.row_stride
    }

    /// Elements from a column to the next.
    pub fn column_stride(&self) -> isize {
        self.column_stride
    }

    /// The data from an element on.
    #[inline]
    pub fn from(&self, row: usize, column: usize) -> &'a [f32] {
        &self.data[row * self.row_stride as usize + column * self.column_stride as usize..]
    }

    /// One element.
    #[inline]
    pub fn at(&self, row: usize, column: usize) -> f32 {
        self.from(row, column)[0]
    }

    /// Some of its columns.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of_columns(self, columns: std::ops::Range<usize>) -> View<'a> {
        let data = &self.data[columns.start * self.column_stride as usize..];
        View::strided(data, self.rows, columns.len(), self.row_stride, self.column_stride)
    }

    /// Rows as columns; nothing moves.
    pub fn transposed(self) -> View<'a> {
        let View { data, rows, columns, row_stride, column_stride } = self;
        View { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }

    /// Whether the first and the last element, and so all between, lie in the slice.
    fn fits(&self) -> bool {
        let last = (self.rows as isize - 1) * self.row_stride + (self.columns as isize - 1) * self.column_stride;
        self.rows * self.columns == 0
            || (self.row_stride >= 0 && self.column_stride >= 0 && (last as usize) < self.data.len())
    }
}

/// What becomes of the elements that a product is written to.
#[derive(Clone, Copy, PartialEq)]
pub enum Write {
    /// They are overwritten.
    Replace,
    /// It is added to them.
    Add,
}
