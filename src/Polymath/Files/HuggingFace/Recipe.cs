using Polymath.Tensors;

namespace Polymath.Files.HuggingFace;

/// <summary>How the elements of a GGUF tensor follow from those of one or more tensors of a checkpoint.</summary>
internal abstract class Recipe
{
    /// <summary>The elements as they are, the tensors one below the other, changed to F32 where GGUF has it so.</summary>
    public static Recipe Copy { get; } = new Gather();

    /// <summary>Every element and one: Gemma's norms store what is added to one.</summary>
    public static Recipe PlusOne { get; } = new Gather { Value = x => x + 1 };

    /// <summary>
    /// Format of the result when the sources are stored in <paramref name="stored"/>; null for what is stored.
    /// </summary>
    public virtual int? FormatId(TensorFormat stored) => null;

    /// <summary>Makes the elements.</summary>
    /// <param name="sources">Tensors of the checkpoint, of one type and shape unless the recipe says otherwise.</param>
    /// <param name="info">The result, whose shape and size are proven to fit the sources.</param>
    /// <param name="target">Zeroed memory of <see cref="TensorInfo.ByteLength"/> bytes.</param>
    public abstract void Make(StoredTensor[] sources, TensorInfo info, NativeBuffer target);

    /// <summary>The result as rows and columns, outer dimensions folded into rows.</summary>
    protected static unsafe Tensor Whole(TensorInfo info, NativeBuffer target)
    {
        int columns = checked((int)info.Dimensions[0]);
        return new Tensor(target, target.Data, info.Format, checked((int)(info.ElementCount / columns)), columns);
    }
}
