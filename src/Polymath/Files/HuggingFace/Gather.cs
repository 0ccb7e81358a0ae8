using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>Rows in another order, elements within the rows in another order, a function of every element: any of them.</summary>
internal sealed class Gather : Recipe
{
    /// <summary>For a row of the result its row in the sources, counted through all of them; null for the same.</summary>
    public Func<int, int>? Row { get; init; }

    /// <summary>For an element of a row its place in the source's row; null for the same.</summary>
    public Func<int, int>? Column { get; init; }

    /// <summary>A function of every element; null for the same.</summary>
    public Func<float, float>? Value { get; init; }

    /// <summary>The map for the rows of a matrix, or, for its bias, for the elements of the vector.</summary>
    public static Gather Order(Func<int, int> map, bool vector) => vector ? new Gather { Column = map } : new Gather { Row = map };

    /// <inheritdoc/>
    public override void Make(StoredTensor[] sources, TensorInfo info, NativeBuffer target)
    {
        Tensor result = Whole(info, target);
        Tensor[] views = [.. sources.Select(source => source.View())];
        var from = new float[Column is null ? 0 : views[0].Columns];
        var to = new float[result.Columns];
        int[]? columns = Column is null ? null : [.. Enumerable.Range(0, result.Columns).Select(Column)];
        for (int row = 0; row < result.Rows; row++)
        {
            int place = Row?.Invoke(row) ?? row;
            Tensor view = views[place / views[0].Rows];
            ReadOnlySpan<byte> stored = view.RowData(place % views[0].Rows);
            if (Column is null && Value is null && view.Format == result.Format)
                stored.CopyTo(result.RowData(row));
            else
                Change(view.Format, stored, from, to, columns, result, row);
        }
    }

    private void Change(TensorFormat format, ReadOnlySpan<byte> stored, float[] from, float[] to, int[]? columns, Tensor result, int row)
    {
        BlockFormat.Dequantize(format, stored, columns is null ? to : from);
        for (int i = 0; columns is not null && i < to.Length; i++)
            to[i] = from[columns[i]];
        for (int i = 0; Value is not null && i < to.Length; i++)
            to[i] = Value(to[i]);
        BlockFormat.Quantize(result.Format, to, result.RowData(row));
    }
}
