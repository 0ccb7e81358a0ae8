using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>A tensor under its GGUF name and how it comes from the checkpoint, or from config.json.</summary>
/// <param name="Info">Name, format and shape as a GGUF file has them.</param>
/// <param name="Sources">Tensors of the checkpoint; none for a constant.</param>
/// <param name="Recipe">How the elements follow from them; null for a view.</param>
internal sealed record FolderTensor(TensorInfo Info, StoredTensor[] Sources, Recipe? Recipe)
{
    /// <summary>The elements of a constant.</summary>
    public Tensor Constant { get; init; }

    /// <summary>The elements where they need not be made: a view of the file, or a constant; empty otherwise.</summary>
    public Tensor View(int rows, int columns) =>
        !Constant.IsEmpty ? Constant : Recipe is null ? Sources[0].View(rows, columns) : default;

    /// <summary>Makes the elements, in memory of their own.</summary>
    public NativeBuffer Make()
    {
        var buffer = new NativeBuffer(Info.ByteLength);
        try
        {
            Recipe!.Make(Sources, Info, buffer);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>The elements that were made, as [rows, columns].</summary>
    public unsafe Tensor Over(NativeBuffer buffer, int rows, int columns) => new(buffer, buffer.Data, Info.Format, rows, columns);
}
